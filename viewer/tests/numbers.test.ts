import { expect, test } from "vitest";
import { formatted, roundBelow, ticks, withUnit } from "../src/numbers";

test.each([
  [0, "0"], [1, "1"], [0.94, "0.94"], [-0.5, "−0.5"], [0.123456, "0.1235"], [12.3456, "12.35"], [12345.6, "12346"],
  [50000, "50000"], [0.00012346, "1.235 × 10⁻⁴"], [0.0001, "10⁻⁴"], [-2.5e8, "−2.5 × 10⁸"], [1e12, "10¹²"],
  [NaN, "no value"], [Infinity, "∞"],
])("%d reads %s", (value, text) => {
  expect(formatted(value)).toBe(text);
});

test("a unit follows a number and never a missing one", () => {
  expect(withUnit("94.3", "%")).toBe("94.3 %");
  expect(withUnit("no value", "%")).toBe("no value");
});

test.each([[1, 1], [4.9, 2], [5, 5], [99, 50], [0.03, 0.02]])("the round length below %d is %d", (length, round) => {
  expect(roundBelow(length)).toBe(round);
});

test("linear ticks are round, within the range and few", () => {
  expect(ticks(0, 1, "linear", 6)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(ticks(0.13, 0.97, "linear", 5)).toEqual([0.2, 0.4, 0.6, 0.8]);
});

test("log ticks are decades when there are many, and 1, 2, 5 when there are few", () => {
  expect(ticks(1e-4, 1, "log", 6)).toEqual([1e-4, 1e-3, 1e-2, 0.1, 1]);
  expect(ticks(0.2, 2.1, "log", 6)).toEqual([0.2, 0.5, 1, 2]);
  expect(ticks(1e-9, 1e9, "log", 6).length).toBeLessThanOrEqual(7);
});

test("a log range within one step still gets two ticks, and a single value one", () => {
  expect(ticks(2.1, 2.9, "log", 6).length).toBeGreaterThanOrEqual(2);
  expect(ticks(3, 3, "log")).toEqual([3]);
});

test("numbers that are nearly one number have ticks too", () => {
  expect(ticks(2.3, 2.3 + 9e-16, "linear")).toHaveLength(2);
  expect(ticks(1e16, 1e16 + 2, "linear")).toHaveLength(2);
});

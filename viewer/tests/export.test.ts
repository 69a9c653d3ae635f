import { expect, test } from "vitest";
import { csv, fileName } from "../src/export";
import { CIRCLE } from "../src/shapes";
import { stamper } from "../src/view/pen";
import { escaped, SvgPen } from "../src/view/svg";
import { layout, metric, star } from "./scenes";

test("rows become lines in which each number is the one that the scene has", () => {
  const loss = metric({ name: "loss", values: new Float32Array([0.1, 1 / 3, NaN, 1e-9, 123456.79, 0, 1]) });
  const map = { ...star(), metrics: [loss] };
  const lines = csv(map, map.layouts[0]!, [0, 1, 2, 6]).split("\r\n");
  expect(lines[0]).toBe("row,run,kind,seed,jump,group,epoch,loss,x,y");
  expect(lines[1]).toBe("0,a,retraining,1,0.5,,0,0.1,0,0");
  expect(Math.fround(Number(lines[2]!.split(",")[7]))).toBe(Math.fround(1 / 3));
  expect(lines[3]!.split(",")[7]).toBe("");
  expect(lines[4]).toBe("6,,,,,,200,1,6,0");
  expect(lines[5]).toBe("");
});

test("a name with commas, quotes or lines stays one cell", () => {
  const map = { ...star(), runs: [{ ...star().runs[0]!, name: 'a,"b"\nc' }] };
  expect(csv(map, layout({ coordinates: new Float32Array(14) }), [0])).toContain('0,"a,""b""\nc",retraining');
});

test("a file's name has nothing that a system would mind", () => {
  expect(fileName("../../etc/passwd <script>", "svg")).toBe("etc-passwd-script.svg");
  expect(fileName("…", "png")).toBe("map.png");
});

test("a name is text in SVG, whatever it says", () => {
  const pen = new SvgPen();
  pen.fillText("<script>alert(1)</script>\u0000&\"", 1, 2);
  const text = pen.document(10, 10, "<script>");
  expect(text).not.toMatch(/<script/);
  expect(text).toContain("&lt;script&gt;alert(1)&lt;/script&gt;�&amp;&quot;</text>");
  expect(escaped("a<b")).toBe("a&lt;b");
});

test("the pen writes what a canvas would draw", () => {
  const pen = new SvgPen();
  pen.beginPath();
  pen.lineTo(1, 2);
  pen.lineTo(3.004, 4);
  pen.strokeStyle = "rgb(1 2 3 / 0.5)";
  pen.globalAlpha = 0.25;
  pen.setLineDash([4, 2]);
  pen.stroke();
  pen.setLineDash([]);
  stamper(pen, { shape: CIRCLE, fill: "rgb(9 8 7)", rim: "", radius: 2, isHollow: false }, 1)(10, 20);
  const text = pen.document(30, 30, "t");
  expect(text).toContain('<path d="M1 2L3 4" fill="none" stroke="rgba(1,2,3,0.5)" stroke-width="1" stroke-dasharray="4 2" opacity="0.25"/>');
  expect(text).toContain('<path d="M8 20a2 2 0 1 0 4 0a2 2 0 1 0 -4 0Z" fill="rgb(9,8,7)" opacity="0.25"/>');
});

test("a name that a spreadsheet would calculate stays a text, and depth is in the table where there is some", () => {
  const map = { ...star(), runs: [{ ...star().runs[0]!, kind: "training" as const, group: "@me", name: "=HYPERLINK(1)" }] };
  const deep = layout({ coordinates: new Float32Array(14), coordinates_3d: Float32Array.from({ length: 21 }, (_, i) => i) });
  const [head, first] = csv(map, deep, [1]).split("\r\n");
  expect(head!.endsWith(",x,y,x_3d,y_3d,z_3d")).toBe(true);
  expect(first).toBe("1,'=HYPERLINK(1),training,1,0.5,'@me,1,0,0,3,4,5");
});

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { defineConfig, type Plugin, type UserConfig } from "vite";

const here = import.meta.dirname;

/** Everything that decides what the bundle says, so that a test can tell a stale one without Node. */
function sources(): string[] {
  const inFolder = readdirSync(join(here, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(here, join(entry.parentPath, entry.name)).split(sep).join("/"));
  return [...inFolder, "package-lock.json", "package.json", "tsconfig.json", "vite.config.ts"].sort();
}

/** sha256 over each source's path and bytes, each followed by a zero byte. */
function sourceHash(): string {
  const hash = createHash("sha256");
  for (const path of sources()) hash.update(path).update("\0").update(readFileSync(join(here, path))).update("\0");
  return hash.digest("hex");
}

/** Says in the first line of each file which sources it was built from, and under which licence its one library came. */
function stamped(): Plugin {
  return {
    name: "stamped",
    enforce: "post",
    generateBundle(_options, bundle) {
      const stamp = `/* lossatlas viewer, sources sha256:${sourceHash()} */\n`;
      const licence = readFileSync(join(here, "node_modules/preact/LICENSE"), "utf8").trim();
      for (const file of Object.values(bundle)) {
        if (file.type === "chunk") file.code = `${stamp}/* Contains preact.\n\n${licence}\n*/\n${file.code}`;
        else file.source = stamp + String(file.source);
      }
    },
  };
}

/** Two bundles: the page's script and style sheet, and with `--mode widget` the module that a notebook loads. */
const LIBRARIES = {
  page: { entry: "src/main.tsx", formats: ["iife" as const], name: "lossatlas", fileName: () => "viewer.js", cssFileName: "viewer" },
  widget: { entry: "src/widget.ts", formats: ["es" as const], fileName: () => "widget.js" },
};

export default defineConfig(({ mode }) => ({
  plugins: [stamped()],
  define: { "process.env.NODE_ENV": '"production"' },
  build: {
    target: "es2022",
    outDir: "../src/lossatlas/draw/static",
    emptyOutDir: false,
    rolldownOptions: { output: { minify: true } }, // a module's blanks too
    lib: mode === "widget" ? LIBRARIES.widget : LIBRARIES.page,
  },
  test: { include: ["tests/**/*.test.ts"] },
}) as UserConfig);

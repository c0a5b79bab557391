// Makes gateway/pages/static/pages.css: of the components of the NL Design System (Utrecht) what the pages use, the
// tokens that it needs (theme Voorbeeld), and our own pages.css. The theme of Utrecht itself is not for others to use.
// In: a folder to write to (default: where it is served from). Out: pages.css there.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import postcss from "postcss";

const here = dirname(fileURLToPath(import.meta.url));
const modules = join(here, "node_modules");
const read = (path) => readFileSync(path, "utf8").replaceAll("\r\n", "\n");
const named = JSON.parse(read(join(here, "package.json"))).dependencies;
const THEME = "@nl-design-system-unstable/voorbeeld-design-tokens";

// The classes that stand in the templates: rules for others are left out.
const templates = join(here, "../gateway/pages/templates");
const text = readdirSync(templates).sort().map((name) => read(join(templates, name))).join("\n");
const classes = new Set(text.match(/\butrecht-[\w-]+/g));

const components = Object.keys(named).filter((name) => name !== THEME);
const styles = components.map((name) => `/* ${name} ${named[name]} */\n${without(read(join(modules, name, "dist/index.css")))}`);
const own = read(join(here, "pages.css"));

// Which tokens are used, and by those in turn.
const theme = read(join(modules, THEME, "dist/theme.css"));
const values = new Map([...theme.matchAll(/^\s*(--[\w-]+):\s*([^;]+);/gm)].map(([, name, value]) => [name, value.trim()]));
const used = new Set();
const need = (text) => {
  for (const [, name] of text.matchAll(/var\((--[\w-]+)/g)) {
    if (values.has(name) && !used.has(name)) {
      used.add(name);
      need(values.get(name));
    }
  }
};
need(styles.join("\n"));
need(own);
const tokens = [...used].sort().map((name) => `  ${name}: ${values.get(name)};`).join("\n");

const header = `/* Made by assets/build.mjs (make assets): don't edit.
Contains ${components.length} components of the NL Design System, copyright Frameless B.V. and Gemeente Utrecht, and tokens of its
theme Voorbeeld, copyright Frameless B.V. and NL Design System; all licensed under the EUPL-1.2, as Klantbrug itself is. */
`;
const made = `${header}:root {\n${tokens}\n}\n\n${styles.join("\n\n")}\n\n/* Klantbrug */\n${own}`;
writeFileSync(join(process.argv[2] ?? join(here, "../gateway/pages/static"), "pages.css"), made.replaceAll(/\n{3,}/g, "\n\n"));

// Without what the pages don't use, and without comments: the licence stands once, at the top.
function without(css) {
  const root = postcss.parse(css);
  root.walkComments((comment) => comment.remove());
  root.walkRules((rule) => {
    rule.selectors = rule.selectors.filter((selector) => [...selector.matchAll(/\.([\w-]+)/g)].every(([, name]) => classes.has(name)));
    if (!rule.selector) rule.remove();
  });
  root.walkAtRules((at) => at.nodes?.length === 0 && at.remove());
  return root.toString().trim();
}

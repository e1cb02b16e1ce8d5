import assert from "node:assert/strict";
import { computed, Signal, signal } from "@preact/signals";
import { type ComponentChildren, type FunctionComponent, h } from "preact";
import { App } from "../app.ts";
import { type Build, collectIslands, emptyBuild } from "../build.ts";

type Props = Record<string, unknown>;

const chunk = { url: "/island.js", imports: ["/shared.js"] };
const Box: FunctionComponent<Props> = ({ shown, children }) =>
  h("div", null, shown === false ? null : children as ComponentChildren);
const Outer: FunctionComponent = () => h(Box, null, "inner");

const build: Build = {
  ...emptyBuild(),
  islands: collectIslands([{ exports: { Box, Outer }, chunk, prefix: "i0_" }]),
  client: { boot: { url: "/boot.js", imports: [] }, signals: { url: "/signals.js", imports: [] } },
};

async function render(...content: ComponentChildren[]) {
  const app = new App().get("/", (ctx) => ctx.render(h("main", null, content)));
  const response = await app.handler(build)(new Request("http://localhost/"));
  return { link: response.headers.get("link"), html: await response.text() };
}

/** Runs the props expression of the page's boot script as the browser would. */
function bootProps(html: string): Props[] {
  const [, props] = html.match(/boot\(\[[^\]]*\],(.*)\);<\/script>/)!;
  return new Function("signal", "frozen", "slot", `return ${props}`)(
    signal,
    (value: unknown) => ({ frozen: value }),
    (id: number) => ({ slot: id }),
  );
}

Deno.test("a page without islands has no script and asks for nothing", async () => {
  const { html, link } = await render("text");
  assert.doesNotMatch(html, /<script/);
  assert.equal(link, null);
});

Deno.test("an island is rendered in place, and all code it needs is asked for at once", async () => {
  const { html, link } = await render(h(Box, { n: 1 }, "text"));
  assert.match(html, /<main><!--fresh-island:0--><div>text<\/div><!--\/fresh-island:0--><\/main>/);
  assert.match(html, /<script type="module" nonce="\w+">import\{boot,slot\}from"\/boot\.js";/);
  assert.deepEqual(link!.match(/(?<=<)[^>]+/g), ["/island.js", "/shared.js", "/boot.js"]);
});

Deno.test("an island inside an island is a plain component", async () => {
  const { html } = await render(h(Outer, null));
  assert.equal(html.match(/<!--fresh-island/g)?.length, 1);
});

Deno.test("JSX given to an island becomes a slot, which waits in a template until it is shown", async () => {
  const { html } = await render(
    h(Box, null, h("b", null, "now"), h(Box, null, "nested")),
    h(Box, { shown: false }, h("i", null, "later")),
  );
  assert.match(
    html,
    /<div><!--fresh-slot:0--><b>now<\/b><!--fresh-island:1-->.*<!--\/fresh-slot:0--><\/div>/,
  );
  assert.match(html, /<template data-fresh-slot="1"><i>later<\/i><\/template>/);
  assert.deepEqual(bootProps(html).map((props) => props.children), [{ slot: 0 }, "nested", { slot: 1 }]);
});

Deno.test("a signal or object given to two islands is one in the browser, and a computed arrives frozen", async () => {
  const count = signal(1);
  const shared = { deep: count };
  const { html } = await render(
    h(Box, { count, shared }),
    h(Box, { shared, double: computed(() => count.value * 2) }),
  );
  const [first, second] = bootProps(html);
  assert.ok(first.count instanceof Signal);
  assert.equal(first.count.value, 1);
  assert.equal(first.shared, second.shared);
  assert.equal((first.shared as typeof shared).deep, first.count);
  assert.deepEqual(second.double, { frozen: 2 });
});

Deno.test("strings in props cannot end the script that carries them", async () => {
  const text = "</script><script>alert(1)</script><!--";
  const { html } = await render(h(Box, { text }));
  assert.equal(html.match(/<\/script>/g)?.length, 1);
  assert.equal(bootProps(html)[0].text, text);
});

Deno.test("props that cannot be sent are refused with the reason", async () => {
  const failing = (props: Props) => {
    const app = new App().use((ctx) => ctx.next().catch((error) => new Response(error.message)))
      .get("/", (ctx) => ctx.render(h(Box, props)));
    return app.handler(build)(new Request("http://localhost/")).then((response) => response.text());
  };
  assert.match(await failing({ list: [() => {}] }), /Cannot stringify a function \(at \[0\]\.list\[0\]\)/);
  assert.match(
    await failing({ deep: { jsx: h("b", null) } }),
    /JSX is only possible as the whole value of a prop/,
  );
});

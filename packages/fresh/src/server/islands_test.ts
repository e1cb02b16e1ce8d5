import assert from "node:assert/strict";
import { signal } from "@preact/signals";
import { type ComponentChildren, type ComponentType, type FunctionComponent, h } from "preact";
import { App } from "../app.ts";
import { type Build, collectIslands, emptyBuild } from "../build.ts";

type Props = Record<string, unknown>;

const Box: FunctionComponent<Props> = ({ shown, children }) =>
  h("div", null, shown === false ? null : children as ComponentChildren);
const Outer: FunctionComponent = () => h(Box, null, "inner");

const build: Build = {
  ...emptyBuild(),
  islands: collectIslands([{ default: Box }, { default: Outer }]),
  client: { url: "/client.js", imports: ["/shared.js"] },
};

const boxes = (build: Build, props: Props, ...content: ComponentChildren[]) =>
  new App().use((ctx) => ctx.next().catch((error) => new Response(error.message)))
    .all("/", (ctx) => ctx.render(h(Box as ComponentType<Props>, props, ...content)))
    .handler(build)(new Request("http://localhost/")).then((response) => response.text());

async function render(...content: ComponentChildren[]) {
  const app = new App().all("/", (ctx) => ctx.render(h("main", null, content)));
  const response = await app.handler(build)(new Request("http://localhost/"));
  return { link: response.headers.get("link"), html: await response.text() };
}

/** Runs the props expression of the page's boot script as the browser would. */
function bootProps(html: string): Props[] {
  const [, props] = html.match(/boot\(\[[^\]]*\],(.*)\);<\/script>/)!;
  return new Function("slot", `return ${props}`)((id: number) => ({ slot: id }));
}

Deno.test("a page without islands has no script and asks for nothing", async () => {
  const { html, link } = await render("text");
  assert.doesNotMatch(html, /<script/);
  assert.equal(link, null);
});

Deno.test("an island is rendered in place, and all code it needs is asked for at once", async () => {
  const { html, link } = await render(h(Box, { n: 1 }, "text"));
  assert.match(html, /<main><!--fresh-island:0--><div>text<\/div><!--\/fresh-island:0--><\/main>/);
  assert.match(
    html,
    /<script type="module" nonce="\w+">import\{boot,slot,i0\}from"\/client\.js";boot\(\[i0\],/,
  );
  assert.deepEqual(link!.match(/(?<=<)[^>]+/g), ["/client.js", "/shared.js"]);
});

Deno.test("an island inside an island is a plain component", async () => {
  const { html } = await render(h(Outer, null));
  assert.equal(html.match(/<!--fresh-island/g)?.length, 1);
});

Deno.test("JSX given to an island becomes a slot, which waits in a template until it is shown", async () => {
  const { html } = await render(
    h(Box, null, h("b", null, "now")),
    h(Box, { shown: false }, h("i", null, "later")),
  );
  assert.match(html, /<div><!--fresh-slot:0--><b>now<\/b><!--\/fresh-slot:0--><\/div>/);
  assert.match(html, /<template data-fresh-slot="1"><i>later<\/i><\/template>/);
  assert.deepEqual(bootProps(html).map((props) => props.children), [{ slot: 0 }, { slot: 1 }]);
});

Deno.test("an island in JSX that was given to an island is refused, shown or not", async () => {
  for (const shown of [true, false]) {
    assert.match(await boxes(build, { shown }, h(Box, null, "nested")), /cannot hold islands/);
  }
  assert.match((await render(h(Box, null, h("b", null, "one")), h(Box, null, "two"))).html, /fresh-island:1/);
});

Deno.test("an object given to two islands is one in the browser", async () => {
  const shared = { deep: { n: 1 } };
  const { html } = await render(h(Box, { shared }), h(Box, { shared }));
  const [first, second] = bootProps(html);
  assert.deepEqual(first.shared, shared);
  assert.equal(first.shared, second.shared);
});

Deno.test("strings in props cannot end the script that carries them", async () => {
  const text = "</script><script>alert(1)</script><!--";
  const { html } = await render(h(Box, { text }));
  assert.equal(html.match(/<\/script>/g)?.length, 1);
  assert.equal(bootProps(html)[0].text, text);
});

Deno.test("props that cannot be sent are refused with the reason", async () => {
  assert.match(await boxes(build, { list: [() => {}] }), /Cannot stringify a function/);
  assert.match(await boxes(build, { n: signal(1) }), /Cannot stringify arbitrary non-POJOs/);
  assert.match(
    await boxes(build, { deep: { jsx: h("b", null) } }),
    /JSX is only possible as the whole value of a prop/,
  );
});

Deno.test("collectIslands() refuses a module that exports more than one function as default", () => {
  assert.throws(() => collectIslands([{ default: Box, Other: Outer }]), /not: default,Other/);
  assert.throws(() => collectIslands([{ Box }]), /not: Box/);
});

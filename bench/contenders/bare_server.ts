/**
 * What the pages and billing info are compared with: Deno.serve answering with bytes it holds. Its arguments are the port
 * and a folder: the file `NAME` is the answer to `/NAME`, with the content type in `NAME.type`.
 */
import { join } from "node:path";

const [port, folder] = Deno.args;
const answers = new Map<string, { body: Uint8Array<ArrayBuffer>; type: string }>();
for (const { name } of Deno.readDirSync(folder)) {
  if (name.endsWith(".type")) continue;
  answers.set(`/${name}`, {
    body: Deno.readFileSync(join(folder, name)),
    type: Deno.readTextFileSync(join(folder, `${name}.type`)),
  });
}

Deno.serve({ hostname: "127.0.0.1", port: Number(port), onListen: () => {} }, (request) => {
  const answer = answers.get(new URL(request.url).pathname);
  if (!answer) return new Response(null, { status: 404 });
  return new Response(answer.body, { headers: { "content-type": answer.type } });
});

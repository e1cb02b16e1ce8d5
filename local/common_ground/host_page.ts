// The script of the stand-in's page around a plugin. Like the real one it answers what the plugin's origin asks in the
// name of this iframe: some by itself, the rest by way of its server.

interface PluginRequest {
  request: string;
  signature?: string;
}

interface Request {
  type: string;
  iframeUid: string;
  requestId: string;
  data: { type: string; to: string };
}

const MAX_NAVIGATES_MS = 5_000;

const { pluginOrigin, pluginId, userId, iframeUid } = document.body.dataset;
const iframe = document.querySelector("iframe")!;
const leaving = document.querySelector("dialog")!;
let lastNavigate = -Infinity;

addEventListener("message", async ({ origin, data }: MessageEvent<PluginRequest>) => {
  if (origin !== pluginOrigin) return;
  const request: Request = JSON.parse(data.request);
  try {
    if (request.iframeUid !== iframeUid) throw new Error("UNKNOWN_IFRAME");
    const payload = request.type === "safeRequest"
      ? unsigned(request, answerHere(request))
      : await answerThere(data);
    iframe.contentWindow?.postMessage({ type: request.requestId, payload }, origin);
  } catch (error) {
    const payload = unsigned(request, { error: (error as Error).message });
    iframe.contentWindow?.postMessage({ type: request.requestId, payload }, origin);
  }
});

function unsigned({ requestId }: Request, data: object): { response: string } {
  return { response: JSON.stringify({ data, pluginId, requestId }) };
}

function answerHere({ data }: Request): object {
  switch (data.type) {
    case "init":
      return { pluginId, userId, assignableRoleIds: [] };
    case "navigate":
      if (Date.now() - lastNavigate < MAX_NAVIGATES_MS) throw new Error("MAX_NAVIGATES_PER_5_SECS");
      lastNavigate = Date.now();
      navigate(data.to);
      return { ok: true };
    default:
      throw new Error("UNKNOWN_SAFE_REQUEST");
  }
}

function navigate(to: string): void {
  if (new URL(to).origin === location.origin) return location.assign(to);
  leaving.querySelector("a")!.href = to;
  leaving.querySelector("output")!.textContent = to;
  leaving.showModal();
}

async function answerThere(request: PluginRequest): Promise<object> {
  const response = await fetch("/Plugins/pluginRequest", { method: "POST", body: JSON.stringify(request) });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

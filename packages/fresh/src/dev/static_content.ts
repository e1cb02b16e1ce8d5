import { extname } from "node:path";
import { lockUrl } from "../asset_url.ts";

const TYPES: Record<string, string> = {
  ".avif": "image/avif",
  ".css": "text/css; charset=utf-8",
  ".gif": "image/gif",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".jpeg": "image/jpeg",
  ".jpg": "image/jpeg",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".md": "text/markdown; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".mp4": "video/mp4",
  ".pdf": "application/pdf",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".webp": "image/webp",
  ".woff": "font/woff",
  ".woff2": "font/woff2",
  ".xml": "application/xml",
};

/** The content type that a file's name stands for. */
export function contentType(path: string): string {
  return TYPES[extname(path).toLowerCase()] ?? "application/octet-stream";
}

/** A static file as it is served: the own addresses in a stylesheet are tied to the build. */
export async function readStatic(path: string, buildId: string): Promise<Uint8Array<ArrayBuffer>> {
  const content = await Deno.readFile(path);
  if (extname(path) !== ".css") return content;
  const css = new TextDecoder().decode(content).replaceAll(
    /\burl\(\s*(["']?)(\/[^"')\s]+)\1\s*\)/g,
    (_, quote, url) => `url(${quote}${lockUrl(url, buildId)}${quote})`,
  );
  return new TextEncoder().encode(css);
}

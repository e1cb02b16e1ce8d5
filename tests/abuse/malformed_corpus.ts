/** Malformed requests, the same ones for the same seed. */
import { Buffer } from "node:buffer";

/** A number generator (mulberry32). */
export function numbers(seed: number): () => number {
  return () => {
    seed = seed + 0x6d2b79f5 | 0;
    let t = Math.imul(seed ^ seed >>> 15, 1 | seed);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 4294967296;
  };
}

const METHODS = [
  "GET",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "HEAD",
  "TRACE",
  "CONNECT",
  "FOO",
  "get",
  "PROPFIND",
  "QUERY",
];
const TAILS = [
  "",
  "/",
  "//",
  "/.",
  "/..",
  "/%2e%2e",
  "%",
  "%zz",
  "%ff",
  "%00",
  "%c0%af",
  "?",
  "?a=%",
  "?__frsh_c=%ff",
  "#x",
  "\\",
  ";a=1",
  "/constructor",
  "/__proto__",
  "?" + "a".repeat(3000),
  "/" + "a/".repeat(200),
];
const HEADERS = [
  "",
  "Authorization: Bearer\r\n",
  "Authorization: Bearer a.b.c\r\n",
  "Authorization: Bearer eyJhbGciOiJub25lIn0.e30.\r\n",
  "Authorization: Basic \xff\xfe\r\n",
  "Content-Type: text/html; charset=\x80\r\n",
  "Content-Encoding: gzip\r\n",
  "Accept-Language: " + "de-".repeat(300) + "\r\n",
  "Accept-Language: \xff;q=NaN, *;q=1e999\r\n",
  "Stripe-Signature: t=1,v1=00\r\n",
  "Stripe-Signature: t=NaN,v1=" + "f".repeat(64) + "\r\n",
  "Stripe-Signature: " + "v1=0,".repeat(500) + "\r\n",
  'If-None-Match: W/"\\\r\n',
  "X-Forwarded-For: , ,::, %, " + "1.2.3.4,".repeat(50) + "\r\n",
  "X-Forwarded-For: [\r\n",
  "Origin: null\r\n",
  "Cookie: " + "a=b; ".repeat(200) + "\r\n",
  "Upgrade: websocket\r\nConnection: Upgrade\r\n",
  "Expect: 100-continue\r\n",
  "Range: bytes=-1-\r\n",
  "Host: two\r\n",
  "apikey: \xe9\r\n",
];
const BODIES = [
  "",
  "{",
  "[]",
  "null",
  "0",
  '"text"',
  "{}",
  '{"__proto__":{"a":1}}',
  '{"constructor":{"prototype":{}}}',
  '{"identityToken":null}',
  '{"identityToken":"a.b.c"}',
  '{"identityToken":"\\u0000"}',
  '{"message":"\\ud800"}',
  '{"ticket":"x","userInfo":{"response":"{","signature":"%"},"communityInfo":{"response":"","signature":""}}',
  '{"iframeUid":"../","pluginId":"x"}',
  '{"planCode":{"$gt":""},"uiMode":[]}',
  '{"pluginId":"' + "x".repeat(500) + '"}',
  "[".repeat(5000),
  '{"a":'.repeat(2000),
  "1e99999",
  "\xef\xbb\xbf{}",
  "\xff\xfe\x00",
  "\0".repeat(100),
  '{"object":"event","id":{}}',
  '{"object":"v2.core.event"}',
  "a=b&c=d",
  "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><x>&a;</x>",
];
const LENGTHS = [
  "right",
  "right",
  "right",
  "right",
  "short",
  "chunked",
  "bad chunk",
  "negative",
  "text",
  "twice",
  "huge",
];

export interface MalformedRequest {
  bytes: Uint8Array;
  /** For messages. */
  what: string;
}

/** One request for a raw connection, in Latin-1, so that bytes are what is written above. */
export function malformedRequest(random: () => number, routes: string[]): MalformedRequest {
  const pick = <T>(list: T[]): T => list[Math.floor(random() * list.length)];
  const method = random() < 0.5 ? pick(["GET", "POST"]) : pick(METHODS);
  const route = pick(routes);
  const target = random() < 0.1
    ? pick(["*", "http://other.test/", "http://[::/", "//", "", "/ /", "a"])
    : route + pick(TAILS);
  const body = pick(BODIES);
  const length = pick(LENGTHS);
  const headers = pick(HEADERS) + pick(HEADERS);
  const host = random() < 0.95
    ? "Host: a.test\r\n"
    : pick(["", "Host:\r\n", "Host: a b\r\n", "Host: \xff\r\n"]);
  const version = random() < 0.97 ? "HTTP/1.1" : pick(["HTTP/1.0", "HTTP/2.0", "HTTX/1.1", ""]);
  const framing: Record<string, string> = {
    right: `Content-Length: ${body.length}\r\n\r\n${body}`,
    short: `Content-Length: ${Math.max(0, body.length - 1)}\r\n\r\n${body}`,
    chunked: `Transfer-Encoding: chunked\r\n\r\n${
      body ? `${body.length.toString(16)}\r\n${body}\r\n` : ""
    }0\r\n\r\n`,
    "bad chunk": `Transfer-Encoding: chunked\r\n\r\nzz\r\n${body}\r\n0\r\n\r\n`,
    negative: `Content-Length: -${body.length + 1}\r\n\r\n${body}`,
    text: `Content-Length: many\r\n\r\n${body}`,
    twice: `Content-Length: ${body.length}\r\nContent-Length: ${body.length + 1}\r\n\r\n${body}`,
    huge: `Content-Length: 99999999999\r\n\r\n${body}`,
  };
  const text = `${method} ${target} ${version}\r\n${host}Connection: close\r\n${headers}${framing[length]}`;
  return {
    bytes: new Uint8Array(Buffer.from(text, "latin1")),
    what: `${method} ${target.slice(0, 60)} ${JSON.stringify(headers.slice(0, 60))} ${length} ${
      JSON.stringify(body.slice(0, 40))
    }`,
  };
}

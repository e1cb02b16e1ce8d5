import assert from "node:assert/strict";
import { SignJWT } from "jose";
import type { Stack } from "../../local/stack.ts";
import { payCheckout } from "../support/simulator.ts";

/** A person in a community, as the parent app knows them. */
export interface Person {
  sub: string;
  cid: string;
  adm: boolean;
  title?: string;
  pluginId?: string;
}

/** An answer with its parsed body. */
export interface Answer {
  status: number;
  headers: Headers;
  // deno-lint-ignore no-explicit-any -- an answer's shape is what the tests are about
  body: any;
}

/** Asserts that an answer is a problem document (RFC 9457) with this status and code. */
export function assertProblem(
  { status, headers, body }: Answer,
  wanted: [status: number, code: string],
  message?: string,
) {
  assert.deepEqual([status, body.code], wanted, message);
  assert.equal(headers.get("content-type"), "application/problem+json");
  assert.deepEqual([body.type, body.status], ["about:blank", wanted[0]]);
  assert.ok(body.title.length > 0);
  assert.doesNotMatch(JSON.stringify(body), /\bat \S+:\d+|\.ts\b|stack/i, "no stack trace");
}

/** Calls the plugin server of a stack as different people. */
export function apiClient({ urls, keys }: Pick<Stack, "urls" | "keys">) {
  const now = () => Math.floor(Date.now() / 1000);
  const sign = (claims: Record<string, unknown>, secret: string) =>
    new SignJWT(claims).setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(secret));

  async function call(method: string, path: string, options: {
    token?: string;
    json?: unknown;
    body?: BodyInit;
  } = {}): Promise<Answer> {
    const response = await fetch(`${urls.plugin}${path}`, {
      method,
      headers: options.token === undefined ? {} : { authorization: `Bearer ${options.token}` },
      body: options.json === undefined ? options.body : JSON.stringify(options.json),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text,
    };
  }

  /** An identity token as the parent app signs it; `more` replaces claims. */
  function identityToken(
    person: Person,
    more: Record<string, unknown> = {},
    secret = keys.parentAppJwtSecret,
  ) {
    const claims = { title: `Community ${person.cid}`, ...person, jti: crypto.randomUUID() };
    return sign(
      { iss: urls.parent, aud: urls.plugin, iat: now(), exp: now() + 60, ...claims, ...more },
      secret,
    );
  }

  /** A session token as Dues signs it; `more` replaces claims. */
  function sessionToken(
    { sub, cid, adm }: Person,
    more: Record<string, unknown> = {},
    secret = keys.sessionSecret,
  ) {
    const claims = { iss: urls.plugin, aud: "authenticated", role: "authenticated", sub, cid, adm };
    return sign({ ...claims, iat: now(), exp: now() + 60, ...more }, secret);
  }

  return {
    urls,
    call,
    identityToken,
    sessionToken,

    /** Opens a session with an identity token and returns the session token. */
    async signIn(person: Person): Promise<string> {
      const { status, body } = await call("POST", "/api/auth/session", {
        json: { identityToken: await identityToken(person) },
      });
      if (status !== 200) throw new Error(`Signing in answered ${status}: ${JSON.stringify(body)}`);
      return body.token;
    },

    /** Buys the pro plan for an admin's community. Returns the admin's session token. */
    async upgrade(person: Person): Promise<string> {
      const token = await this.signIn(person);
      const { body } = await call("POST", "/api/stripe/create-checkout-session", { token, json: {} });
      await payCheckout({ urls }, body.sessionId);
      return token;
    },
  };
}

export type ApiClient = ReturnType<typeof apiClient>;

let communities = 0;

/** An admin of a new community. */
export const newAdmin = (more: Partial<Person> = {}): Person => ({
  sub: "ann",
  cid: `community-${++communities}-${crypto.randomUUID().slice(0, 8)}`,
  adm: true,
  ...more,
});

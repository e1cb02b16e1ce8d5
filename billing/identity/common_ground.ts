/**
 * Common Ground (app.cg) as identity provider.
 *
 * A plugin and Common Ground share one RSA key pair: the plugin's server signs requests with it, and Common Ground signs its
 * answers with the same key (@common-ground-dao/cg-plugin-lib-host). A server that signs any text a browser sends would
 * therefore sign forged answers, too. So:
 *
 * 1. Only two requests are signed, userInfo and communityInfo. Their text is written here; of a browser's input it contains
 *    two ids of a restricted alphabet and nothing else.
 * 2. A request has the members `type` and `iframeUid`. An answer with these or any other additional member is refused.
 * 3. An answer counts only for the request that this server signed, and only with the ticket issued for that request:
 *    within two minutes, and once.
 */

import { CgPluginLibHost } from "@common-ground-dao/cg-plugin-lib-host";
import { z } from "zod";
import { BillingError } from "../errors.ts";
import type { Identity, IdentityProvider } from "./identity_provider.ts";
import { standingOf } from "./community_roles.ts";
import { rsaSigner } from "./rsa_signer.ts";
import { communityTitle } from "./community_title.ts";
import { identityTickets } from "./identity_ticket.ts";
import { communityIdSchema, type PluginId, pluginIdSchema, slugSchema } from "../ids.ts";

/** The body of `POST /api/auth/common-ground`: the iframe and the plugin that ask. Common Ground checks both. */
export const identityRequestSchema = z.strictObject({
  iframeUid: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "the iframeUid of the page's address"),
  pluginId: z.guid({ error: "the plugin's id, as Common Ground's init answers it" }).pipe(pluginIdSchema),
});
export type IdentityRequest = z.output<typeof identityRequestSchema>;

/** A request in the form that Common Ground accepts. */
export interface SignedRequest {
  request: string;
  signature: string;
}

/** The requests for Common Ground, and the ticket with which their answers can be exchanged for a session. */
export interface SignedRequests {
  ticket: string;
  userInfo: SignedRequest;
  communityInfo: SignedRequest;
}

const signedAnswerSchema = z.strictObject({ response: z.string(), signature: z.string() });
/** An answer in the form that Common Ground sends. */
export type SignedAnswer = z.output<typeof signedAnswerSchema>;

const proofSchema = z.strictObject({
  ticket: z.string().min(1).max(4096),
  userInfo: signedAnswerSchema,
  communityInfo: signedAnswerSchema,
});
export type CommonGroundProof = z.output<typeof proofSchema>;

/** The fields in use of the two answers. Common Ground's ids are UUIDs. */
const personSchema = z.object({ id: z.guid(), roles: z.array(z.string()) });
const communitySchema = z.object({
  id: z.guid().pipe(communityIdSchema),
  title: z.unknown().optional(),
  url: slugSchema,
  roles: z.array(z.object({ id: z.string(), title: z.string(), type: z.string() })),
});

export interface CommonGroundOptions {
  /** PEM (PKCS #8). Signs the requests. */
  privateKey: string;
  /** PEM (SPKI). Verifies Common Ground's answers. */
  publicKey: string;
  /** The roles of admins: ids, or titles of predefined roles. */
  adminRoles: string[];
  /** Common Ground's origin. */
  issuer: string;
}

/** Proof by Common Ground's signed answers. */
export interface CommonGroundProvider extends IdentityProvider<CommonGroundProof> {
  /** Signs the two requests that a browser sends to Common Ground. */
  signRequests(request: IdentityRequest): Promise<SignedRequests>;
}

/**
 * Common Ground as an identity provider.
 *
 * `verify` throws `invalid_identity_answer`, `expired_identity_request`, or `not_member` for guests of a community.
 */
export function commonGroundProvider(options: CommonGroundOptions): CommonGroundProvider {
  const tickets = identityTickets(options.privateKey);
  // The library has one key pair for the whole process. Setting the same pair again costs nothing.
  const library = () => CgPluginLibHost.initialize(options.privateKey, options.publicKey);

  const signer = rsaSigner(options.privateKey);

  /** In the form of the library's signRequest(), which signs in the main thread. */
  async function sign(type: "userInfo" | "communityInfo", { iframeUid, pluginId }: IdentityRequest) {
    const requestId = `requestId-${Date.now()}-${crypto.randomUUID()}`;
    const request = JSON.stringify({ type: "request", data: { type }, iframeUid, pluginId, requestId });
    return { request, signature: await signer.sign(request), requestId };
  }

  async function signRequests(request: IdentityRequest): Promise<SignedRequests> {
    // Signed anew each time: an answer counts once, so a request that was kept would be worth nothing to a second page.
    const [userInfo, communityInfo] = await Promise.all([
      sign("userInfo", request),
      sign("communityInfo", request),
    ]);
    const ticket = await tickets.issue({
      pluginId: request.pluginId,
      userInfo: userInfo.requestId,
      communityInfo: communityInfo.requestId,
    });
    return { ticket, userInfo: withoutId(userInfo), communityInfo: withoutId(communityInfo) };
  }

  /** The data of an answer. Throws when it is not Common Ground's answer to this request. */
  async function read<T extends z.ZodType>(
    { response, signature }: SignedAnswer,
    asked: { requestId: string; pluginId: PluginId },
    dataSchema: T,
  ): Promise<z.output<T>> {
    const isSigned = await (await library()).verifyResponse(response, signature);
    if (!isSigned) throw invalid("the signature does not match");
    const answer = answerSchema.safeParse(parseJson(response)).data;
    if (!answer) throw invalid("it is not an answer");
    if (answer.requestId !== asked.requestId || answer.pluginId !== asked.pluginId) {
      throw invalid("it answers another request");
    }
    const data = dataSchema.safeParse(answer.data);
    if (!data.success) throw invalid("it lacks the data that was requested", data.error);
    return data.data;
  }

  async function verify({ ticket, userInfo, communityInfo }: CommonGroundProof): Promise<Identity> {
    const asked = await tickets.read(ticket);
    const { pluginId } = asked;
    const person = await read(userInfo, { requestId: asked.userInfo, pluginId }, personSchema);
    const community = await read(
      communityInfo,
      { requestId: asked.communityInfo, pluginId },
      communitySchema,
    );
    const standing = standingOf(person.roles, community.roles, options.adminRoles);
    if (!standing.isMember) {
      throw new BillingError("not_member", "Only members of the community can see its plan.");
    }
    return {
      iss: options.issuer,
      sub: person.id,
      cid: community.id,
      title: communityTitle(community.title, community.id),
      slug: community.url,
      adm: standing.isAdmin,
      pluginId,
      jti: asked.jti,
      exp: asked.exp,
    };
  }

  return { proofSchema, maxProofBytes: MAX_PROOF_BYTES, signRequests, verify };
}

/** communityInfo lists all roles of the community with their rules, so it may be long. */
const MAX_PROOF_BYTES = 256 * 1024;

/** Strict, because a request has `type` and `iframeUid` as well. */
const answerSchema = z.strictObject({ data: z.unknown(), pluginId: z.string(), requestId: z.string() });

const withoutId = ({ request, signature }: SignedRequest): SignedRequest => ({ request, signature });

const invalid = (why: string, cause?: unknown) =>
  new BillingError(
    "invalid_identity_answer",
    `This is not Common Ground's answer to a request of this server: ${why}.`,
    {
      cause,
    },
  );

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

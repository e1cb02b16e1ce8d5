/**
 * Common Ground (app.cg) as the one who vouches for people.
 *
 * Its plugins come with one RSA key pair that both sides hold: the plugin's server signs requests with it, and Common
 * Ground signs its answers with the very same key (@common-ground-dao/cg-plugin-lib-host). A server that signs whatever
 * a browser asks it to would therefore sign forged answers too, so:
 *
 * 1. Only two requests are ever signed, for userInfo and communityInfo. They are written here, from two ids of a plain
 *    alphabet; nothing else of what a browser sends gets into them.
 * 2. A request has `type` and `iframeUid`, an answer has neither, and an answer with a field too many is none.
 * 3. An answer counts only for the request that this server signed for that question, and only together with the ticket
 *    that was given out with it: within two minutes, and once.
 */

import { CgPluginLibHost } from "@common-ground-dao/cg-plugin-lib-host";
import { z } from "zod";
import { BillingError } from "../errors.ts";
import type { Identity, IdentityProvider } from "./identity_provider.ts";
import { standingOf } from "./community_roles.ts";
import { identityTickets } from "./identity_ticket.ts";
import { communityIdSchema, type PluginId, pluginIdSchema, slugSchema } from "../ids.ts";

/** The body of `POST /api/auth/common-ground`: which iframe of which plugin asks. Common Ground checks both. */
export const identityRequestSchema = z.strictObject({
  iframeUid: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "the iframeUid of the page's address"),
  pluginId: z.guid({ error: "the plugin's id, as Common Ground's init answers it" }).pipe(pluginIdSchema),
});
export type IdentityRequest = z.output<typeof identityRequestSchema>;

/** A request as Common Ground takes it. */
export interface SignedRequest {
  request: string;
  signature: string;
}

/** What a browser gets for Common Ground to answer, and the ticket that makes the answers good for a session. */
export interface SignedRequests {
  ticket: string;
  userInfo: SignedRequest;
  communityInfo: SignedRequest;
}

const signedAnswerSchema = z.strictObject({ response: z.string(), signature: z.string() });
/** An answer as Common Ground gives it. */
export type SignedAnswer = z.output<typeof signedAnswerSchema>;

const proofSchema = z.strictObject({
  ticket: z.string().min(1).max(4096),
  userInfo: signedAnswerSchema,
  communityInfo: signedAnswerSchema,
});
export type CommonGroundProof = z.output<typeof proofSchema>;

/** What is used of the two answers. Common Ground's ids are UUIDs. */
const personSchema = z.object({ id: z.guid(), roles: z.array(z.string()) });
const communitySchema = z.object({
  id: z.guid().pipe(communityIdSchema),
  title: z.string().trim().min(1).transform((title) => title.slice(0, 200)),
  url: slugSchema,
  roles: z.array(z.object({ id: z.string(), title: z.string(), type: z.string() })),
});

export interface CommonGroundOptions {
  /** PEM (PKCS #8). Signs our requests. */
  privateKey: string;
  /** PEM (SPKI). Verifies Common Ground's answers. */
  publicKey: string;
  /** Who counts as admin: ids of roles, or titles of predefined ones. */
  adminRoles: string[];
  /** Common Ground's origin. */
  issuer: string;
}

/** Proof by Common Ground's signed answers, and the requests that they answer. */
export interface CommonGroundProvider extends IdentityProvider<CommonGroundProof> {
  /** Signs what a browser needs to ask Common Ground who is looking. */
  signRequests(request: IdentityRequest): Promise<SignedRequests>;
}

/**
 * Common Ground as an identity provider.
 *
 * Its `verify` throws `invalid_identity_answer`, `expired_identity_request`, or `not_member` for guests of a community.
 */
export function commonGroundProvider(options: CommonGroundOptions): CommonGroundProvider {
  const tickets = identityTickets(options.privateKey);
  // The library keeps its keys for the whole process; this costs nothing when they are the same as before.
  const library = () => CgPluginLibHost.initialize(options.privateKey, options.publicKey);

  async function sign(type: "userInfo" | "communityInfo", { iframeUid, pluginId }: IdentityRequest) {
    const signed = await (await library()).signRequest({
      type: "request",
      data: { type },
      iframeUid,
      pluginId,
    });
    return { ...signed, requestId: requestIdSchema.parse(JSON.parse(signed.request)).requestId };
  }

  async function signRequests(request: IdentityRequest): Promise<SignedRequests> {
    const userInfo = await sign("userInfo", request);
    const communityInfo = await sign("communityInfo", request);
    const ticket = await tickets.issue({
      pluginId: request.pluginId,
      userInfo: userInfo.requestId,
      communityInfo: communityInfo.requestId,
    });
    return { ticket, userInfo: withoutId(userInfo), communityInfo: withoutId(communityInfo) };
  }

  /** The data of an answer, if it is Common Ground's answer to this very request. */
  async function read<T extends z.ZodType>(
    { response, signature }: SignedAnswer,
    asked: { requestId: string; pluginId: PluginId },
    dataSchema: T,
  ): Promise<z.output<T>> {
    const isSigned = await (await library()).verifyResponse(response, signature);
    if (!isSigned) throw invalid("the signature is another's");
    const answer = answerSchema.safeParse(parseJson(response)).data;
    if (!answer) throw invalid("it is no answer");
    if (answer.requestId !== asked.requestId || answer.pluginId !== asked.pluginId) {
      throw invalid("it answers something else");
    }
    const data = dataSchema.safeParse(answer.data);
    if (!data.success) throw invalid("it lacks what was asked for", data.error);
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
      title: community.title,
      slug: community.url,
      adm: standing.isAdmin,
      pluginId,
      jti: asked.jti,
      exp: asked.exp,
    };
  }

  return { proofSchema, maxProofBytes: MAX_PROOF_BYTES, signRequests, verify };
}

/** A community's info lists all its roles, with the rules of each. */
const MAX_PROOF_BYTES = 256 * 1024;

const requestIdSchema = z.object({ requestId: z.string() });

/** Strict, because a request of ours would have `type` and `iframeUid` as well. */
const answerSchema = z.strictObject({ data: z.unknown(), pluginId: z.string(), requestId: z.string() });

const withoutId = ({ request, signature }: SignedRequest): SignedRequest => ({ request, signature });

const invalid = (why: string, cause?: unknown) =>
  new BillingError("invalid_identity_answer", `This is not what Common Ground answered to us: ${why}.`, {
    cause,
  });

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // which is no answer
  }
}

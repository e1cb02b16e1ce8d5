import { createSign, createVerify } from "node:crypto";
import { z } from "zod";
import { communities, type Community, type Person } from "./communities.ts";

/** The keys that Common Ground gives to a plugin, PEM. */
export interface KeyPair {
  privateKey: string;
  publicKey: string;
}

/** An envelope that a plugin posts: the request as text, and its signature. */
const envelopeSchema = z.strictObject({ request: z.string(), signature: z.string() });

const requestSchema = z.strictObject({
  type: z.literal("request"),
  pluginId: z.guid(),
  requestId: z.string(),
  iframeUid: z.string(),
  data: z.strictObject({ type: z.enum(["userInfo", "communityInfo"]) }),
});

const MAX_AGE_MS = 10 * 60_000;

/** A request is refused. The message is the one of Common Ground. */
export class Refusal extends Error {
  override name = "Refusal";
}

/** Common Ground's server, as far as requests for the current person and community go. */
export class Answers {
  readonly #seen = new Set<string>();

  /** `pluginKey` verifies requests, PEM. `answerKey` signs answers, PEM: Common Ground uses the other half of the same pair. */
  constructor(private readonly pluginKey: string, private readonly answerKey: string) {}

  /**
   * Answers a plugin's signed request about the person who uses it.
   *
   * @throws {Refusal} for what Common Ground refuses.
   */
  answer(person: Person, body: unknown): { response: string; signature: string } {
    const envelope = envelopeSchema.parse(body);
    const request = requestSchema.safeParse(JSON.parse(envelope.request)).data;
    if (!request) throw new Refusal("INVALID_REQUEST");
    const community = communities.find(({ pluginId }) => pluginId === request.pluginId);
    if (!community) throw new Refusal("NOT_FOUND");
    const askedAt = Number(request.requestId.split("-")[1]);
    if (!(Date.now() - askedAt <= MAX_AGE_MS)) throw new Refusal("SIGNED_REQUEST_EXPIRED");
    if (this.#seen.has(request.requestId)) throw new Refusal("DUPLICATED_SIGNED_REQUEST");
    this.#seen.add(request.requestId);
    const isOurs = createVerify("SHA256").update(envelope.request)
      .verify(this.pluginKey, envelope.signature, "base64");
    if (!isOurs) throw new Refusal("INVALID_SIGNATURE");

    const { pluginId, requestId } = request;
    const data = request.data.type === "userInfo" ? userInfo(person, community) : communityInfo(community);
    return this.sign({ data, pluginId, requestId });
  }

  /** Signs an answer, whatever it says. */
  sign(answer: object): { response: string; signature: string } {
    const response = JSON.stringify(answer);
    return { response, signature: createSign("SHA256").update(response).sign(this.answerKey, "base64") };
  }
}

function userInfo(person: Person, community: Community) {
  const roles = person.roleIds.filter((id) => community.roles.some((role) => role.id === id));
  return { id: person.id, name: person.name, imageUrl: "", roles, premium: "FREE" };
}

function communityInfo({ id, title, url, roles }: Community) {
  return {
    id,
    title,
    url,
    smallLogoUrl: "",
    largeLogoUrl: "",
    headerImageUrl: "",
    official: false,
    premium: "FREE",
    roles,
  };
}

import type { z } from "zod";
import type { CommunityId, PluginId, Slug } from "../ids.ts";

/** How a parent app vouches for people: with a token its server signs, or with Common Ground's signed answers. */
export type IdentityProviderName = "token" | "common_ground";

/** Who somebody is, as the parent app vouches for it. Named like the claims of an identity token (RFC 7519). */
export interface Identity {
  /** The parent app. */
  iss: string;
  /** The person. */
  sub: string;
  /** The community. */
  cid: CommunityId;
  title: string;
  /** What the community goes by in the parent's addresses, where that is not its id. */
  slug?: Slug;
  /** Whether the person may pay for the community. */
  adm: boolean;
  pluginId?: PluginId;
  /** Unique to the proof, so that each proof works once. */
  jti: string;
  /** When the proof ends, in seconds since 1970. */
  exp: number;
}

/** One way of proving who somebody is. */
export interface IdentityProvider<Proof = unknown> {
  /** What a browser sends to `POST /api/auth/session`, and how large that may be in bytes. */
  proofSchema: z.ZodType<Proof>;
  maxProofBytes: number;
  /**
   * Who the proof is about. It promises nothing about single use; the database does that.
   *
   * Throws `BillingError`.
   */
  verify(proof: Proof): Promise<Identity>;
}

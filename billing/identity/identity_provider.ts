import type { z } from "zod";
import type { CommunityId, PluginId, Slug } from "../ids.ts";

/** How a parent app proves who people are: by tokens that its server signs, or by Common Ground's signed answers. */
export type IdentityProviderName = "token" | "common_ground";

/** Who somebody is, as the parent app proves it. Named like the claims of an identity token (RFC 7519). */
export interface Identity {
  /** The parent app. */
  iss: string;
  /** The person. */
  sub: string;
  /** The community. */
  cid: CommunityId;
  title: string;
  /** The community's name in the parent app's addresses, where that is not its id. */
  slug?: Slug;
  /** Whether the person is an admin and may pay for the community. */
  adm: boolean;
  pluginId?: PluginId;
  /** Unique for each proof, so that each works once. */
  jti: string;
  /** When the proof expires, in unix seconds. */
  exp: number;
}

/** A way to prove who somebody is. */
export interface IdentityProvider<Proof = unknown> {
  /** The body of `POST /api/auth/session`. */
  proofSchema: z.ZodType<Proof>;
  /** The largest body. */
  maxProofBytes: number;
  /**
   * Verifies a proof. Does not check that it is used only once: the database does (`billing.open_session`).
   *
   * Throws `BillingError`.
   */
  verify(proof: Proof): Promise<Identity>;
}

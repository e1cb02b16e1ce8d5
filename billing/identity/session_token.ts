import { importJWK, SignJWT } from "jose";
import { z } from "zod";
import {
  type CommunityId,
  communityIdSchema,
  type PluginId,
  pluginIdSchema,
  type Slug,
  slugSchema,
} from "../ids.ts";
import type { SessionKey, SigningKey } from "./session_key.ts";
import { verifyToken } from "./verify_token.ts";

/** A person in a community, as a session token describes them. */
export interface Session {
  userId: string;
  communityId: CommunityId;
  isAdmin: boolean;
  pluginId: PluginId | null;
  /** The community's name in the parent app's addresses, where that is not its id. */
  slug?: Slug;
}

/** A session as it is read from its token. */
export interface VerifiedSession extends Session {
  /** When the session was opened, and the person's role proved, in unix seconds. */
  openedAt: number;
}

/** A role that the parent app has taken away ends with the token, so this is short. */
const LIFETIME_SECONDS = 5 * 60;
/** As in Supabase's own user tokens (https://supabase.com/docs/guides/auth/jwt-fields). */
const AUDIENCE = "authenticated";

const claimsSchema = z.object({
  sub: z.string(),
  cid: communityIdSchema,
  adm: z.boolean(),
  pid: pluginIdSchema.optional(),
  slug: slugSchema.optional(),
  role: z.literal("authenticated"),
  iat: z.number(),
});

/**
 * Signs and verifies session tokens: JSON Web Tokens, valid for five minutes. Their claims are those of Supabase's own user
 * tokens (https://supabase.com/docs/guides/auth/jwts), so the data API accepts them, too, if its key signs them.
 */
export async function sessionTokens({ key, issuer }: { key: SessionKey; issuer: string }) {
  const keys = "secret" in key ? secretKey(key.secret) : await keyPair(key.signingKey);

  return {
    /** A token for this session, and when it expires. */
    async sign(session: Session): Promise<{ token: string; expiresAt: Date }> {
      const now = Math.floor(Date.now() / 1000);
      const expiresAt = now + LIFETIME_SECONDS;
      const token = await new SignJWT({
        cid: session.communityId,
        adm: session.isAdmin,
        role: "authenticated",
        ...(session.pluginId === null ? {} : { pid: session.pluginId }),
        ...(session.slug === undefined ? {} : { slug: session.slug }),
      }).setProtectedHeader(keys.header).setIssuer(issuer).setAudience(AUDIENCE).setSubject(session.userId)
        .setIssuedAt(now).setExpirationTime(expiresAt).sign(keys.sign);
      return { token, expiresAt: new Date(expiresAt * 1000) };
    },

    /** The session of a token. Throws `BillingError` `expired_token` or `invalid_token`. */
    async verify(token: string): Promise<VerifiedSession> {
      const claims = await verifyToken(token, {
        keys: () => keys.verify,
        options: {
          algorithms: [keys.header.alg],
          issuer,
          audience: AUDIENCE,
          requiredClaims: ["exp", "iat"],
          // Also holds for a token that another holder of the key gave a longer life.
          maxTokenAge: LIFETIME_SECONDS,
        },
        claims: claimsSchema,
        refusals: {
          expired: ["expired_token", "The session token has expired."],
          invalid: ["invalid_token", "The session token is not valid here."],
        },
      });
      return {
        userId: claims.sub,
        communityId: claims.cid,
        isAdmin: claims.adm,
        pluginId: claims.pid ?? null,
        openedAt: claims.iat,
        ...(claims.slug === undefined ? {} : { slug: claims.slug }),
      };
    },
  };
}

export type SessionTokens = Awaited<ReturnType<typeof sessionTokens>>;

function secretKey(secret: string) {
  const bytes = new TextEncoder().encode(secret);
  return { sign: bytes, verify: bytes, header: { alg: "HS256", typ: "JWT" } };
}

async function keyPair(signingKey: SigningKey) {
  const { d: _private, ...publicKey } = signingKey;
  return {
    sign: await importJWK(signingKey, "ES256"),
    verify: await importJWK(publicKey, "ES256"),
    header: { alg: "ES256", typ: "JWT", kid: signingKey.kid },
  };
}

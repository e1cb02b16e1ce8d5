import { errors, importJWK, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import { BillingError } from "../errors.ts";
import {
  type CommunityId,
  communityIdSchema,
  type PluginId,
  pluginIdSchema,
  type Slug,
  slugSchema,
} from "../ids.ts";

/** A person in a community, as the session token says. */
export interface Session {
  userId: string;
  communityId: CommunityId;
  isAdmin: boolean;
  pluginId: PluginId | null;
  /** What the community goes by in the parent's addresses, where that is not its id. */
  slug?: Slug;
}

/** The secret or private key that Supabase verifies session tokens with. */
export type SessionKey = { secret: string } | { signingKey: SigningKey };
interface SigningKey {
  kty: "EC";
  crv: "P-256";
  kid: string;
  x: string;
  y: string;
  d: string;
}

const LIFETIME_SECONDS = 10 * 60;
/** The audience Supabase gives its own user tokens; the role is what row-level security runs as. */
const AUDIENCE = "authenticated";

const claimsSchema = z.object({
  sub: z.string(),
  cid: communityIdSchema,
  adm: z.boolean(),
  pid: pluginIdSchema.optional(),
  slug: slugSchema.optional(),
  role: z.literal("authenticated"),
});

/**
 * Signs and verifies session tokens: JSON Web Tokens that both Dues and Supabase's data API accept
 * (https://supabase.com/docs/guides/auth/jwts). They live ten minutes.
 */
export async function sessionTokens({ key, issuer }: { key: SessionKey; issuer: string }) {
  const keys = "secret" in key ? sharedSecret(key.secret) : await keyPair(key.signingKey);

  return {
    /** A token for this session, and when it ends. */
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
    async verify(token: string): Promise<Session> {
      try {
        const { payload } = await jwtVerify(token, keys.verify, {
          algorithms: [keys.header.alg],
          issuer,
          audience: AUDIENCE,
          requiredClaims: ["exp", "iat"],
        });
        const claims = claimsSchema.parse(payload);
        return {
          userId: claims.sub,
          communityId: claims.cid,
          isAdmin: claims.adm,
          pluginId: claims.pid ?? null,
          ...(claims.slug === undefined ? {} : { slug: claims.slug }),
        };
      } catch (error) {
        if (error instanceof errors.JWTExpired) {
          throw new BillingError("expired_token", "The session token has expired.", { cause: error });
        }
        if (error instanceof errors.JOSEError || error instanceof z.ZodError) {
          throw new BillingError("invalid_token", "The session token is not valid here.", { cause: error });
        }
        throw error;
      }
    },
  };
}

export type SessionTokens = Awaited<ReturnType<typeof sessionTokens>>;

function sharedSecret(secret: string) {
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

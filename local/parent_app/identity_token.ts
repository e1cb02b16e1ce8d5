import { SignJWT } from "jose";

/** Dues accepts at most five minutes; the plugin uses the token at once. */
const LIFETIME = "2m";

/** The content of an identity token. The signer must know all of it without asking the browser. */
export interface Identity {
  /** The parent app's origin. */
  issuer: string;
  /** The plugin's origin. */
  audience: string;
  userId: string;
  communityId: string;
  communityTitle: string;
  isAdmin: boolean;
  /** Which of the community's plugins the person looks at, where the page shows one of several. */
  pluginId: string | null;
}

/** Signs an identity token for Dues with HS256. Each has a new `jti`, since Dues accepts each only once. */
export function signIdentityToken(identity: Identity, secret: string): Promise<string> {
  const claims = {
    cid: identity.communityId,
    title: identity.communityTitle,
    adm: identity.isAdmin,
    ...(identity.pluginId === null ? {} : { pluginId: identity.pluginId }),
  };
  return new SignJWT(claims)
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuer(identity.issuer)
    .setAudience(identity.audience)
    .setSubject(identity.userId)
    .setJti(crypto.randomUUID())
    .setIssuedAt()
    .setExpirationTime(LIFETIME)
    .sign(new TextEncoder().encode(secret));
}

import { people, type Person } from "./people.ts";

const COOKIE = "parent_session";

/** Who is signed in, by a random session id in a cookie. Kept in memory: a restart signs everyone out. */
export class Sessions {
  #personById = new Map<string, Person>();

  /** The person whose session the request carries, or null. */
  personOf(request: Request): Person | null {
    const cookies = request.headers.get("cookie") ?? "";
    const id = cookies.split("; ").find((cookie) => cookie.startsWith(`${COOKIE}=`))?.slice(
      COOKIE.length + 1,
    );
    return this.#personById.get(id ?? "") ?? null;
  }

  /** Signs a person in. Returns the Set-Cookie value, or null when nobody has that id. */
  signIn(personId: string): string | null {
    const person = people.find(({ id }) => id === personId);
    if (!person) return null;
    const id = crypto.randomUUID();
    this.#personById.set(id, person);
    return `${COOKIE}=${id}; Path=/; HttpOnly; SameSite=Lax`;
  }
}

/** A role of a Common Ground community. Anybody who may manage roles can give a custom one any title. */
export interface Role {
  id: string;
  title: string;
  type: string;
}

const PREDEFINED = "PREDEFINED";
/** The predefined role of those who look at a community without having joined. */
const GUESTS = "Public";

/**
 * What somebody who holds these roles is in a community.
 *
 * `adminRoles` are ids of roles, or titles, which count for predefined roles only: otherwise a custom role that is
 * called Admin, and that people may take by themselves, would make admins.
 */
export function standingOf(
  heldIds: string[],
  roles: Role[],
  adminRoles: string[],
): { isMember: boolean; isAdmin: boolean } {
  const held = roles.filter(({ id }) => heldIds.includes(id));
  return {
    isMember: held.some(({ type, title }) => type !== PREDEFINED || title !== GUESTS),
    isAdmin: held.some(({ id, type, title }) =>
      adminRoles.includes(id) || (type === PREDEFINED && adminRoles.includes(title))
    ),
  };
}

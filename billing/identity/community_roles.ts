/** A role of a Common Ground community. Whoever may manage roles can give a custom role any title. */
export interface Role {
  id: string;
  title: string;
  type: string;
}

const PREDEFINED = "PREDEFINED";
/** The predefined role of people who have not joined the community. */
const GUESTS = "Public";

/**
 * Whether the holder of these roles is a member or an admin of a community.
 *
 * `adminRoles` are ids of roles, or titles of predefined roles. Titles of custom roles do not count: otherwise a custom role
 * called Admin, which people may assign to themselves, would make admins.
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

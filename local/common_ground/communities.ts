/** A role of a community, as Common Ground describes it to plugins. */
export interface Role {
  id: string;
  title: string;
  type: "PREDEFINED" | "CUSTOM_MANUAL_ASSIGN" | "CUSTOM_AUTO_ASSIGN";
  permissions: string[];
  assignmentRules: { type: "free" } | null;
}

export interface Community {
  id: string;
  title: string;
  /** What it goes by in addresses. */
  url: string;
  /** The id of the plugin as it is installed here. */
  pluginId: string;
  roles: Role[];
}

/** Somebody with an account. */
export interface Person {
  id: string;
  /** For signing in to the stand-in. */
  handle: string;
  name: string;
  roleIds: string[];
}

const role = (number: number, title: string, type: Role["type"]): Role => ({
  id: `aaaaaaaa-0000-4000-8000-${String(number).padStart(12, "0")}`,
  title,
  type,
  permissions: [],
  assignmentRules: type === "CUSTOM_AUTO_ASSIGN" ? { type: "free" } : null,
});

const predefined = (first: number) => ({
  admin: role(first, "Admin", "PREDEFINED"),
  member: role(first + 1, "Member", "PREDEFINED"),
  guest: role(first + 2, "Public", "PREDEFINED"),
});

const garden = {
  ...predefined(10),
  treasurer: role(13, "Treasurer", "CUSTOM_MANUAL_ASSIGN"),
  /** Whoever manages roles can make one of this title, and let everybody take it. */
  falseAdmin: role(14, "Admin", "CUSTOM_AUTO_ASSIGN"),
};
const chess = predefined(20);

/** The id of the role of treasurers, which somebody may configure to count as admins. */
export const treasurerRoleId = garden.treasurer.id;

export const communities: Community[] = [
  {
    id: "c0000000-0000-4000-8000-000000000001",
    title: "Riverside Garden",
    url: "riverside-garden",
    pluginId: "d0000000-0000-4000-8000-000000000001",
    roles: Object.values(garden),
  },
  {
    id: "c0000000-0000-4000-8000-000000000002",
    title: "Northside Chess Club",
    url: "northside-chess",
    pluginId: "d0000000-0000-4000-8000-000000000002",
    roles: Object.values(chess),
  },
];

const person = (number: number, handle: string, name: string, ...roles: Role[]): Person => ({
  id: `b0000000-0000-4000-8000-00000000000${number}`,
  handle,
  name,
  roleIds: roles.map(({ id }) => id),
});

export const people: Person[] = [
  person(1, "ada", "Ada Moreno", garden.admin, garden.member, chess.member),
  person(2, "ben", "Ben Okafor", garden.member, garden.falseAdmin, chess.admin, chess.member),
  person(3, "cleo", "Cleo Varga", garden.member, garden.treasurer),
  person(4, "dan", "Dan Ito", garden.guest),
];

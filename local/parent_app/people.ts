/** Someone who can sign in to the demo parent app. */
export interface Person {
  id: string;
  name: string;
  initials: string;
}

/** A community of the demo parent app. Who may do what in it is the parent app's own knowledge. */
export interface Community {
  id: string;
  title: string;
  tagline: string;
  members: Person[];
  adminIds: string[];
}

const ada: Person = { id: "ada", name: "Ada Moreno", initials: "AM" };
const ben: Person = { id: "ben", name: "Ben Okafor", initials: "BO" };

export const people: Person[] = [ada, ben];

export const communities: Community[] = [
  {
    id: "garden",
    title: "Riverside Garden",
    tagline: "Grow things, share tools, swap seeds",
    members: people,
    adminIds: [ada.id],
  },
  {
    id: "chess",
    title: "Northside Chess Club",
    tagline: "Tuesdays at seven, beginners welcome",
    members: people,
    adminIds: [ada.id],
  },
];

/** Whether this person runs the community. */
export function isAdmin(community: Community, person: Person): boolean {
  return community.adminIds.includes(person.id);
}

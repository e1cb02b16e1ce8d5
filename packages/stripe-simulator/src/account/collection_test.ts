import assert from "node:assert/strict";
import { Collection } from "./collection.ts";

interface Card {
  id: string;
  owner: string | null;
}

const ids = (cards: Card[]) => cards.map(({ id }) => id);

Deno.test("Collection.of() returns the objects of an owner, oldest first, also after they changed owners", () => {
  const cards = new Collection<Card>("card", () => {}, { ownerOf: (card) => card.owner });
  cards.put({ id: "1", owner: "ada" });
  cards.put({ id: "2", owner: "grace" });
  cards.put({ id: "3", owner: "ada" });
  cards.put({ id: "4", owner: null });
  assert.deepEqual(ids(cards.of("ada")), ["1", "3"]);
  cards.put({ id: "1", owner: "ada" });
  assert.deepEqual(ids(cards.of("ada")), ["1", "3"]);
  cards.put({ id: "1", owner: "grace" });
  assert.deepEqual([ids(cards.of("ada")), ids(cards.of("grace"))], [["3"], ["2", "1"]]);
  cards.remove("3");
  assert.deepEqual([ids(cards.of("ada")), ids(cards.oldestFirst()), cards.size], [[], ["1", "2", "4"], 3]);
});

Deno.test("Collection calls onChange after every change, with the object that was put", () => {
  const changes: (object | undefined)[] = [];
  const cards = new Collection<Card>("card", (put) => changes.push(put));
  const card = cards.put({ id: "1", owner: null });
  cards.remove("1");
  cards.remove("never there");
  assert.deepEqual(changes, [card, undefined]);
});

import { noSuch } from "../wire/errors.ts";

/** For large collections: `of` finds the objects of an owner without a search. */
interface Ownership<T> {
  /** The id of the object's owner, or null. */
  ownerOf(object: T): string | null;
}

/** The objects of one type in the order of creation. */
export class Collection<T extends { id: string }> {
  readonly #objects = new Map<string, T>();
  readonly #byOwner = new Map<string, Map<string, T>>();
  readonly #onChange: (put?: object & { id: string }) => void;
  readonly #ownership: Ownership<T>;

  /**
   * `noun` is the type's name in Stripe's messages: "No such customer: …". `onChange` is called after every change,
   * with the object that was put.
   */
  constructor(
    readonly noun: string,
    onChange: (put?: object & { id: string }) => void,
    ownership: Ownership<T> = { ownerOf: () => null },
  ) {
    this.#onChange = onChange;
    this.#ownership = ownership;
  }

  /** Adds the object, or replaces the one with its id. */
  put(object: T): T {
    const before = this.#objects.get(object.id);
    const owner = this.#ownership.ownerOf(object);
    if (before && this.#ownership.ownerOf(before) !== owner) this.#disown(before);
    if (owner !== null) this.#group(owner).set(object.id, object);
    this.#objects.set(object.id, Object.freeze(object));
    this.#onChange(object);
    return object;
  }

  remove(id: string) {
    const object = this.#objects.get(id);
    if (!object) return;
    this.#disown(object);
    this.#objects.delete(id);
    this.#onChange();
  }

  /** The objects of this owner, oldest first. */
  of(owner: string): T[] {
    return [...this.#byOwner.get(owner)?.values() ?? []];
  }

  find(id: string): T | undefined {
    return this.#objects.get(id);
  }

  /** The object for an id in a path. Throws Stripe's 404. */
  get(id: string): T {
    const object = this.#objects.get(id);
    if (!object) throw noSuch(this.noun, id, "path");
    return object;
  }

  /** The object for an id in a parameter. Throws Stripe's 400. */
  getReferenced(id: string, param: string): T {
    const object = this.#objects.get(id);
    if (!object) throw noSuch(this.noun, id, { param });
    return object;
  }

  /** Iterates oldest first, without a copy. */
  [Symbol.iterator](): Iterator<T> {
    return this.#objects.values();
  }

  clear() {
    this.#objects.clear();
    this.#byOwner.clear();
    this.#onChange();
  }

  get size(): number {
    return this.#objects.size;
  }

  oldestFirst(): T[] {
    return [...this.#objects.values()];
  }

  /** Newest first, as API lists are sorted. Objects of the same second are in reverse order of creation too. */
  newestFirst(): T[] {
    return this.oldestFirst().reverse();
  }

  #group(owner: string): Map<string, T> {
    const group = this.#byOwner.get(owner) ?? new Map<string, T>();
    this.#byOwner.set(owner, group);
    return group;
  }

  #disown(object: T) {
    const owner = this.#ownership.ownerOf(object);
    const group = owner === null ? undefined : this.#byOwner.get(owner);
    group?.delete(object.id);
    if (owner !== null && group?.size === 0) this.#byOwner.delete(owner);
  }
}

import { noSuch } from "../protocol/errors.ts";

/** The objects of one type, in the order of their creation. */
export class Collection<T extends { id: string }> {
  readonly #objects = new Map<string, T>();
  readonly #onChange: () => void;

  /** `noun` is what Stripe's messages call the type: "No such customer: …". */
  constructor(readonly noun: string, onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Adds the object, or replaces the one with its id. */
  put(object: T): T {
    this.#objects.set(object.id, Object.freeze(object));
    this.#onChange();
    return object;
  }

  remove(id: string) {
    this.#objects.delete(id);
    this.#onChange();
  }

  find(id: string): T | undefined {
    return this.#objects.get(id);
  }

  /** The object a path names. Throws Stripe's 404. */
  get(id: string): T {
    const object = this.#objects.get(id);
    if (!object) throw noSuch(this.noun, id, "path");
    return object;
  }

  /** The object a parameter names. Throws Stripe's 400. */
  getReferenced(id: string, param: string): T {
    const object = this.#objects.get(id);
    if (!object) throw noSuch(this.noun, id, { param });
    return object;
  }

  oldestFirst(): T[] {
    return [...this.#objects.values()];
  }

  /** As lists show them. Objects of one second come in the reverse order of their creation, too. */
  newestFirst(): T[] {
    return this.oldestFirst().reverse();
  }
}

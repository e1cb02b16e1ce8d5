export const PARENT = "https://app.test";

/** Stands in for the parent's window, until disposed. It keeps what it is sent. */
export class FakeParent implements Disposable {
  readonly sent: unknown[] = [];

  constructor() {
    const window = { postMessage: (data: unknown, target: string) => this.sent.push({ data, target }) };
    Object.defineProperty(globalThis, "parent", { value: window, configurable: true });
  }

  /** A message arrives, from the parent itself unless told otherwise. */
  says(data: unknown, { origin = PARENT, source = globalThis.parent as unknown } = {}): void {
    const event = new MessageEvent("message", { data, origin });
    Object.defineProperty(event, "source", { value: source });
    globalThis.dispatchEvent(event);
  }

  [Symbol.dispose](): void {
    Reflect.deleteProperty(globalThis, "parent");
  }
}

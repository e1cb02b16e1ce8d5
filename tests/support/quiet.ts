/** Keeps expected failures out of the test's output: the product logs every outage. `using` restores the log. */
export function quiet(): Disposable {
  const { error } = console;
  console.error = () => {};
  return { [Symbol.dispose]: () => void (console.error = error) };
}

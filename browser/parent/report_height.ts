/** Reports the height of the page's content in CSS pixels, now and whenever it changes. */
export function reportHeight(report: (height: number) => void): void {
  const observer = new ResizeObserver(([{ borderBoxSize: [size] }]) => {
    if (size.blockSize > 0) report(Math.ceil(size.blockSize));
  });
  observer.observe(document.body, { box: "border-box" });
}

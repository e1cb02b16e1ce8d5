// asset() is called without a context, so the id of the build being served is known to the whole process.
let buildId = "";

export function setBuildId(id: string): void {
  buildId = id;
}

/** Empty when the app was not built. */
export function currentBuildId(): string {
  return buildId;
}

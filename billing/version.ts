/** The version of Dues: the only place that says it. `CHANGELOG.md` and the tag of a release agree with it. */
export const version = "0.9.0";

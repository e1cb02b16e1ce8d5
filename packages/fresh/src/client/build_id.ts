declare const FRESH_BUILD_ID: string;

/** The build that this code belongs to; the bundler puts it in. */
export const buildId: string = FRESH_BUILD_ID;

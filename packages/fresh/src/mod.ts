export { App } from "./app.ts";
export { createDefine, type Define } from "./define.ts";
export { HttpError } from "./http_error.ts";
export { csp, type CspOptions } from "./middlewares/csp.ts";
export { staticFiles } from "./middlewares/static_files.ts";
export type { Context, Middleware, PageComponent, PageProps } from "./types.ts";

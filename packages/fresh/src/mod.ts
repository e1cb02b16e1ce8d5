export { App, type ListenOptions } from "./app.ts";
export type { Context } from "./context.ts";
export {
  createDefine,
  type Define,
  type HandlerFunction,
  type Middleware,
  page,
  type PageComponent,
  type PageProps,
  type PageResponse,
  type RouteHandler,
} from "./define.ts";
export { HttpError } from "./http_error.ts";
export { cors, type CorsOptions } from "./middlewares/cors.ts";
export { csp, type CspOptions } from "./middlewares/csp.ts";
export { csrf, type CsrfOptions } from "./middlewares/csrf.ts";
export { staticFiles } from "./middlewares/static_files.ts";

export { Builder, type BuilderOptions } from "./dev/builder.ts";

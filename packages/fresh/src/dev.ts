export { Builder, type BuilderOptions, type ListenOptions } from "./dev/builder.ts";

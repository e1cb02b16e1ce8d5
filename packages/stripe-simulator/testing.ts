/**
 * For tests: a simulator of its own for each test, with the official SDK connected to it, and what tests of a
 * subscription business do again and again.
 *
 * @module
 */
export { seededRandom } from "./src/faults/seeded_random.ts";
export * from "./src/testing/test_clock_simulator.ts";
export * from "./src/testing/test_simulator.ts";

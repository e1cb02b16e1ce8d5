import Counter from "../islands/Counter.tsx";

export default () => (
  <main>
    <Counter start={3} />
  </main>
);

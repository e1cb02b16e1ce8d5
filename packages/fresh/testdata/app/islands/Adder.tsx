import { total } from "../components/total.ts";

export default function Adder() {
  return <button type="button" onClick={() => total.value++}>add</button>;
}

import { total } from "../components/total.ts";

export default function Total() {
  return <output>{total}</output>;
}

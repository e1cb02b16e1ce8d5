export default function Registered() {
  return <meter />;
}

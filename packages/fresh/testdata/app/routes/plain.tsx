export default () => <p>plain</p>;

/** Stands where the plan will be, about as tall, so that little moves when it arrives. `label` is read aloud. */
export default function Skeleton({ label }: { label: string }) {
  return (
    <div aria-busy="true">
      <p class="visually-hidden">{label}</p>
      <div class="card skeleton" aria-hidden="true">
        <span class="line short" />
        <span class="line title" />
        <div class="meters">
          {[1, 2].map((meter) => (
            <div key={meter} class="meter">
              <span class="line" />
              <span class="line" />
              <span class="line thin" />
            </div>
          ))}
        </div>
      </div>
      <div class="cards" aria-hidden="true">
        {[1, 2].map((plan) => (
          <div key={plan} class="card skeleton">
            <span class="line title" />
            <span class="line" />
            <span class="line" />
          </div>
        ))}
      </div>
    </div>
  );
}

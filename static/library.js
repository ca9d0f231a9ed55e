// The list of the library: its address knows how many pages are open, so that whoever comes back finds them and their
// place, and the head says what the filters are.
{
  const PAGE = 48; // What the server gives at first.
  const cards = () => document.querySelectorAll("#cards > .card");

  function showFilters() {
    const count = Number(document.getElementById("library")?.dataset.filters ?? 0);
    const badge = document.querySelector("[data-filter-count]");
    if (badge === null) return;
    badge.textContent = String(count);
    badge.hidden = count === 0;
  }

  function keepPlace() {
    const address = new URL(location.href);
    const open = cards().length;
    if (open > PAGE) address.searchParams.set("count", String(open));
    else address.searchParams.delete("count");
    // The way back after a deletion is offered once.
    address.searchParams.delete("deleted");
    if (address.href !== location.href) history.replaceState(history.state, "", address);
  }

  document.addEventListener("htmx:after:swap", () => {
    showFilters();
    keepPlace();
  });
  keepPlace();
}

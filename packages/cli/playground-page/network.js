/** The network beside Matrix, as the playground describes it. */
export let network = {
  name: "IRC",
  place: "an IRC channel",
  markup: "irc",
  prefix: "irc_",
  person: "bob",
  friend: null,
  reacts: true,
  deletes: true,
  edits: false,
  threads: false,
  runTotal: 200,
};

/** Takes the description, and writes the network's name wherever the page speaks of it. */
export function showNetwork(description) {
  network = description;
  document.body.dataset.markup = description.markup;
  for (const place of document.querySelectorAll("[data-network]")) {
    place.textContent = description[place.dataset.network];
  }
}

/** `IRC channel`, without its article. */
export const placeName = () => network.place.replace(/^an? /, "");

/** Carries out an action of the page; shows why where it is refused. Resolves to whether it was carried out. */
export async function act(action, body = {}) {
  try {
    const response = await fetch(`api/${action}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    if (response.ok) return true;
    const { message } = await response.json();
    tellProblem(message);
  } catch {
    tellProblem("The playground does not answer. Start it again with: npm start");
  }
  return false;
}

let hiding;

/** Shows a sentence at the bottom of the page for a while. */
export function tellProblem(message) {
  const toast = document.getElementById("toast");
  toast.textContent = message;
  toast.hidden = false;
  window.clearTimeout(hiding);
  hiding = window.setTimeout(() => {
    toast.hidden = true;
  }, 6000);
}

/** Makes an element; `null` children are left out. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

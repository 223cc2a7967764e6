/** Letters that have no decomposition into Latin letters and marks. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: "ss", æ: "ae", ø: "o", ł: "l", đ: "d", ð: "d", þ: "th", œ: "oe", ı: "i", ŋ: "ng", ħ: "h", ŧ: "t", ə: "e",
  а: "a", б: "b", в: "v", г: "g", ґ: "g", д: "d", е: "e", ё: "yo", є: "ye", ж: "zh", з: "z", и: "i", і: "i", ї: "yi", й: "y", к: "k", л: "l",
  м: "m", н: "n", о: "o", п: "p", р: "r", с: "s", т: "t", у: "u", ў: "u", ф: "f", х: "kh", ц: "ts", ч: "ch", ш: "sh", щ: "shch", ъ: "", ы: "y",
  ь: "", э: "e", ю: "yu", я: "ya", ђ: "dj", ј: "j", љ: "lj", њ: "nj", ћ: "c", џ: "dz",
  α: "a", β: "v", γ: "g", δ: "d", ε: "e", ζ: "z", η: "i", θ: "th", ι: "i", κ: "k", λ: "l", μ: "m", ν: "n", ξ: "x", ο: "o", π: "p", ρ: "r",
  σ: "s", ς: "s", τ: "t", υ: "y", φ: "f", χ: "ch", ψ: "ps", ω: "o",
};

/** Writes Latin, Cyrillic and Greek letters in ASCII; other scripts are left as they are. */
export function transliterate(text: string): string {
  const bare = text.normalize("NFKD").replace(/\p{M}/gu, "");
  let result = "";
  for (const character of bare) {
    const lower = character.toLowerCase();
    const latin = LETTERS[lower];
    if (latin === undefined) result += character;
    else result += character === lower ? latin : latin.charAt(0).toUpperCase() + latin.slice(1);
  }
  return result;
}

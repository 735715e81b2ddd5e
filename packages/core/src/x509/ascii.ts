/** Lower case for ASCII letters and nothing else: host names are compared so, and no other alphabet folds into them. */
export function lowerCaseAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

// Names come with a stream, and a stream may come from anybody: what would steer the terminal that it is printed on is
// shown as what it is. The form is that of JSON, so that text which is JSON means the same.

// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/** The same text, where a control character that is no tab or line feed is written as `\u001b`. */
export function plainText(text: string): string {
  return text.replaceAll(CONTROLS, (control) => {
    return `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}

/** The same, in one line. */
export function plainLine(text: string): string {
  return plainText(text).replaceAll('\n', '\\n')
}

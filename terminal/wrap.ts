// Lines that fit a width: text is broken between words, a command where a shell reads on.

/** A word that is longer than the width stays whole: a terminal wraps it, and a copy of it is right. */
export function wrapWords(text: string, width: number, indent = ''): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    const room = width - (lines.length > 0 ? indent.length : 0)
    if (line !== '' && longer.length > room) {
      lines.push(lines.length > 0 ? indent + line : line)
      line = word
    } else line = longer
  }
  lines.push(lines.length > 0 ? indent + line : line)
  return lines
}

const isOption = (word: string) => word.startsWith('--')

/** Each line but the last ends with a backslash; an option and its value stay on one line. */
export function wrapCommand(words: readonly string[], width: number, indent = '  '): string[] {
  const groups: string[] = []
  for (const [index, word] of words.entries()) {
    const before = words[index - 1]
    const belongs = before !== undefined && isOption(before) && !isOption(word)
    if (belongs) groups.push(`${groups.pop()} ${word}`)
    else groups.push(word)
  }
  const lines: string[] = []
  let line = indent
  for (const group of groups) {
    const longer = line.trim() === '' ? `${line}${group}` : `${line} ${group}`
    if (line.trim() !== '' && longer.length + 2 > width) {
      lines.push(`${line} \\`)
      line = `${indent}  ${group}`
    } else line = longer
  }
  return [...lines, line]
}

/** As a POSIX shell takes it for one word. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

/** `text` in at most `width` characters; a mark shows where it was cut. */
export function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`
}

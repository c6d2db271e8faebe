/** Blocks of these languages are run. */
export const commandLanguages = ['sh', 'sql'];

/** These are only shown. `dotenv` blocks are settings. */
export const shownLanguages = ['dotenv', 'json', 'yaml', 'js', 'ts', 'html', 'text', 'nginx', 'promql', 'http'];

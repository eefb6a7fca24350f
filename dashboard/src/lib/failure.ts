import { ref } from 'vue'

/** Whether a part of the page broke in a way nobody foresaw. */
export const failure = ref(false)

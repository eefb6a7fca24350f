import vue from '@vitejs/plugin-vue'
import { defineConfig, loadEnv } from 'vite'

export default defineConfig(({ command, mode }) => {
  // Flask's port, from the environment or the project's .env. `changeOrigin` stays off, so that Flask sees the browser's
  // Host and Socket.IO's same-origin check agrees.
  const { PORT = '5000' } = loadEnv(mode, '..', 'PORT')
  const backend = { target: `http://127.0.0.1:${PORT}`, changeOrigin: false }

  return {
    plugins: [vue()],
    // The URL under which application/modules/dashboard/pages.py serves assets/.
    base: command === 'build' ? '/dashboard/' : '/',
    build: {
      outDir: '../application/modules/dashboard/static',
      emptyOutDir: true,
      // The first browsers with light-dark(); older ones would get it taken apart, and the plain pages would not.
      target: ['chrome123', 'edge123', 'firefox120', 'safari17.5'],
      // Inline scripts and data: modules are refused by the content security policy.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
    define: {
      __VUE_OPTIONS_API__: 'false',
      __VUE_PROD_DEVTOOLS__: 'false',
    },
    server: {
      host: '127.0.0.1',
      proxy: {
        '/api': backend,
        '/scheduler': backend,
        '/dashboard/plain': backend,
        '/dashboard/config.json': backend,
        '/dashboard/session.json': backend,
        '/sign-in': backend,
        '/sign-out': backend,
        '/socket.io': { ...backend, ws: true },
      },
    },
  }
})

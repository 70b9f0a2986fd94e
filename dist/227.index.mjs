export const id = 227;
export const ids = [227];
export const modules = {

/***/ 227:
/***/ ((__unused_webpack___webpack_module__, __webpack_exports__, __webpack_require__) => {

__webpack_require__.r(__webpack_exports__);
/* harmony export */ __webpack_require__.d(__webpack_exports__, {
/* harmony export */   "default": () => (/* binding */ d)
/* harmony export */ });
/* harmony import */ var node_module__WEBPACK_IMPORTED_MODULE_0__ = __webpack_require__(8995);
/* harmony import */ var _chunk_CQ3UVQQE_mjs__WEBPACK_IMPORTED_MODULE_1__ = __webpack_require__(8040);
/* harmony import */ var _chunk_SJ7NPCZ6_mjs__WEBPACK_IMPORTED_MODULE_2__ = __webpack_require__(9502);
/* harmony import */ var _chunk_A7K7NGA4_mjs__WEBPACK_IMPORTED_MODULE_3__ = __webpack_require__(6713);
/* harmony import */ var _chunk_BL2UIEON_mjs__WEBPACK_IMPORTED_MODULE_4__ = __webpack_require__(7641);
/* harmony import */ var _chunk_TG76KETQ_mjs__WEBPACK_IMPORTED_MODULE_5__ = __webpack_require__(9988);
const require=(0,node_module__WEBPACK_IMPORTED_MODULE_0__.createRequire)(import.meta.url);
var r={"aws-region":{kind:"region",required:!0},"project-name":{kind:"text",required:!0},"project-id":{kind:"text",required:!0},"model-package-arn":{kind:"arn",required:!0},"stage-file":{kind:"file",required:!1,default:"model-deploy/stages/production.yml"},reviewer:{kind:"text",required:!1},"role-to-assume":{kind:"role-arn",required:!1},"role-chain":{kind:"role-arns",required:!1},"role-duration-seconds":{kind:"seconds",required:!1},"timeout-minutes":{kind:"minutes",required:!1,default:"30"},"on-cancel":{kind:{choice:["detach","stop"]},required:!1,default:"detach"}};var d=(0,_chunk_CQ3UVQQE_mjs__WEBPACK_IMPORTED_MODULE_1__.a)("test-endpoint",r,()=>Promise.all(/* import() */[__webpack_require__.e(610), __webpack_require__.e(3), __webpack_require__.e(386), __webpack_require__.e(289)]).then(__webpack_require__.bind(__webpack_require__, 1289)));


/***/ })

};

# docs.html becomes a C array of the serve layer. Run by CMake itself with -DIN= -DOUT= it writes that file;
# included, it adds the step to the build.
if(DEFINED IN)
  file(READ ${IN} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  file(WRITE ${OUT} "#include \"serve/docs.h\"\n\nconst unsigned char pt_docs_html[] = {${bytes} 0};\n"
                    "const size_t pt_docs_html_len = sizeof pt_docs_html - 1;\n")
  return()
endif()
set(docs_c ${PROJECT_BINARY_DIR}/docs_html.c)
add_custom_command(
  OUTPUT ${docs_c}
  COMMAND ${CMAKE_COMMAND} -DIN=${CMAKE_CURRENT_LIST_DIR}/docs.html -DOUT=${docs_c} -P ${CMAKE_CURRENT_LIST_FILE}
  DEPENDS ${CMAKE_CURRENT_LIST_DIR}/docs.html ${CMAKE_CURRENT_LIST_FILE}
  VERBATIM)
target_sources(pt_serve PRIVATE ${docs_c})
